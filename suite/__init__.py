"""What is compared and how it is judged: data, protocol, metrics, records, and FastRE itself."""

__version__ = "0.1.0"
