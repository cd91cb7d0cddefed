"""Campaigns: an audience, a template, a pace, and a ledger that makes running twice the same as once.

Knows no Airflow and no HTTP: it is given iterators, file objects and something that can send.
"""
