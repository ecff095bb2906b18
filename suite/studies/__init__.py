"""The papers' tables as files, and what is read from them."""
