"""The expression languages, held against what others measured."""
