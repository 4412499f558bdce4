"""The journal of a run: what the pipeline does becomes counts, records, notices and log lines."""
