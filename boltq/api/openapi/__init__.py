"""What the API is, for programs: the OpenAPI document, put together from what it goes by."""
