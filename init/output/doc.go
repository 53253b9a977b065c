// Package output is all that cginit and its jobs write: the [Log], cginit's own lines on stderr;
// [Outlet], which writes to one place without ever making the loop wait; and [Lines], which passes
// on what a job writes, line by line, as text, with the job's name before it, or as JSON.
package output
