"""``python -m detent.cli``: the program, where its folder is not on the path."""

from .app import app

if __name__ == "__main__":
    app()
