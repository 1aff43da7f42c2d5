"""Scripts that make the packaged data; not needed to run the sandbox."""
