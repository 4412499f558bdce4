"""The one place that joins the core to connectors, storage, processes and settings."""
