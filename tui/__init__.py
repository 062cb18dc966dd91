"""The command line and the terminal application."""
