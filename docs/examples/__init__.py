"""Files that the documentation shows, run by the tests as a reader would run them."""
