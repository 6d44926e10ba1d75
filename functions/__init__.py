"""The only place that knows Azure Functions."""
