"""Reading a trained model's items out of text: files in, rows with character offsets out."""
