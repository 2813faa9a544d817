"""What detent promises, proved from outside: real processes, HTTP, and the effects that tasks leave in a file."""
