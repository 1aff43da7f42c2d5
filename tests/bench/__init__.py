"""The figures: `python -m tests.bench` prints them; the tests here hold what must be true of them on any machine."""
