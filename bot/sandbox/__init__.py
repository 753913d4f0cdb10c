"""A local Slack workspace for developing and testing any Bolt app. It knows nothing about that app."""
