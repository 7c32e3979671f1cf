"""Tracks as files that other people's tools read: spreadsheets, Audacity, Praat, diarisation and annotation tools."""
