// Package proctree holds the processes of a job together where no cgroup can be written.
//
// Each job has a holder: our own binary once more, a subreaper, whose one child is the job's
// main process. Whatever the job starts stays below the holder, however it daemonises, because
// the kernel gives orphans to the nearest subreaper above. The holder reaps all of it and says
// over a socket what becomes of the main process, and at the end that nothing is left: wait4
// answers ECHILD then, which is the kernel's word and not the result of a search.
//
// The supervisor's side is a [Tree]. When the supervisor dies, however it does, the kernel
// closes its end of the socket, and the holder kills what it holds and ends.
//
// What is promised, and what is not:
//
//   - Empty is never said wrongly.
//   - With a uid of its own ([Own]) the kill and the freeze are one call that no fork slips
//     past, and the job can neither signal nor trace its holder.
//   - Without, a kill is what walks of the tree find, repeated until it is empty, and the process
//     groups of those. A job that forks into new groups faster than it is walked delays that.
//   - A job of the holder's own uid can kill the holder. The kernel then gives what it held to
//     the supervisor, which learns of it from the end of the socket and from wait4, and finds
//     the orphans with [Sweep]. Whose they are cannot be told if two holders are lost at once.
//   - Without /proc, or where it hides the job's processes (hidepid), a walk sees children of
//     the holder only. A kill works from there down, as their orphans come up; a freeze stops
//     no more than them and does not claim to have frozen; nothing else can be listed.
package proctree
