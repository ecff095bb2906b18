"""OUT as a URL: a store that files are sent to and fetched from."""
