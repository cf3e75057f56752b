"""Container Apps: a new revision without traffic, the traffic once it is healthy, and the former one to go back to."""
