"""The systems that FastRE is compared with, one file each."""
