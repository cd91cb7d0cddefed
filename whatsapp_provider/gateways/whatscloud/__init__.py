"""WhatsCloud: a white label of WhatsMark SaaS, a front on Meta's Cloud API with the tenant in the path."""
