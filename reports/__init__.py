"""Records in; tables, plots and markdown out. Loads no model."""
