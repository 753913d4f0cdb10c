"""A Slack workspace on this machine, for developing and testing any Bolt app. It knows nothing of that app."""
