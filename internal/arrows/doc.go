// Package arrows holds the project to its own map: tests that fail when a
// package imports what it must not know, lacks a doc comment, or carries
// something that belongs to one developer's machine. It has no code of its own.
package arrows
