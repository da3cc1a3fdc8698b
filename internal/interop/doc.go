// Package interop holds Crosspoint against programs that others have written:
// the baresip telephone and the sipp load generator, unmodified, and a
// newcomer's clean clone. It has tests alone. They start the real program and
// run only with CROSSPOINT_REAL=1, as `make test` sets it; then a program that
// is missing is a failure.
package interop
