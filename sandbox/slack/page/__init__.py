"""The web page: static files, served as they are at `/` and `/page/`; a package so that they are installed."""
