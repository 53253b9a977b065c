package control

import "golang.org/x/sys/windows"

// errRefused says that nothing listens on a socket, or that there is none.
const errRefused = windows.WSAECONNREFUSED
