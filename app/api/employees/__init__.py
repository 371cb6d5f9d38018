"""Employees and their photos: enrol, read, change, delete."""
