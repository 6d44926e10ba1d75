"""What runs beside the app on a developer's machine: servers, the Functions host's part, the demo. Not deployed."""
