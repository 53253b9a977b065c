// Package proctree holds the processes of a job together where no cgroup can be written.
//
// Each job has a holder: a process that runs our own binary, is a subreaper, and has the job's main
// process as its only child. Whatever the job starts stays below the holder, however it daemonises,
// because the kernel gives orphans to the nearest subreaper above them. The holder waits for all
// its children. Over a socket it tells the supervisor what becomes of the main process, and at the
// end that nothing is left. It says so when wait4 returns ECHILD: that is the kernel's statement
// and not the result of a search.
//
// The supervisor's side of a holder is a [Tree]. When the supervisor dies, however it does, the
// kernel closes the supervisor's end of the socket, and the holder kills its job and ends.
//
// What the package promises, and what it does not:
//
//   - [Empty] is never said wrongly.
//   - If the job has a uid of its own ([Own]), a kill and a freeze are one system call that no fork
//     slips past. The job can neither signal nor trace its holder.
//   - Otherwise a kill signals the processes that walks of the tree find, and their process groups,
//     until the tree is empty. A job that forks into new groups faster than the walk delays that.
//   - A job of the holder's own uid can kill the holder. The kernel then gives the job's processes
//     to the supervisor. The supervisor notices that the holder is lost because the socket closes
//     and wait4 returns the holder. It finds the processes with [Sweep]. If two holders are lost at
//     once, it cannot tell whose a process was.
//   - Where nobody can be a subreaper, orphans leave the tree, and the holder finds them by a mark that they
//     inherit. [Empty] then says what a search has found, and a process that takes off its mark gets away.
//   - Without /proc, or if /proc hides the job's processes (hidepid), a walk sees only the children
//     of the holder. A kill then works from the top down, as orphans become children of the holder.
//     A freeze stops only those children and never reports Frozen. Nothing else can be listed.
package proctree
