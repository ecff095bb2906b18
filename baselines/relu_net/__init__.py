"""RelU-Net."""
