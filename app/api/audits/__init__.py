"""Audits of the enrolled gallery, as JSON, text or one page."""
