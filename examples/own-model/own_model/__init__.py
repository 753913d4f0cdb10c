"""An example of a service that trains and runs a model for Goldloop. Replace `words.py` by your own model."""
