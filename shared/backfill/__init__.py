"""Blobs that Defender or Event Hubs Capture has written -> the same documents as were streamed."""
