"""The web page: static files, served as they are at `/` and `/page/`. Data, no code; a package so that it is installed."""
