"""Employees and their photos: enroll, read, change, delete."""
