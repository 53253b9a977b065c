// Package output writes the output of cginit and of its jobs. [Log] writes cginit's own lines to
// stderr. [Outlet] writes to one place without making the loop wait. [Lines] copies the output of a
// job line by line, as text after the job's name or as JSON.
package output
