"""The figures of the study, a file a topic; each function makes one from the results."""
