// Command sleeper is a service that costs as little as one can: it opens the FIFO that is its argument,
// writes a byte into it and sleeps. For each SIGUSR1 it writes another byte. usage: sleeper FIFO
//
// Linked with "-E main.entry", it does that in a few system calls before Go's runtime starts, so that
// thousands of them fit in a small memory. Main does the same where there is no entry.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	asked := make(chan os.Signal, 64)
	signal.Notify(asked, syscall.SIGUSR1)
	fifo, err := os.OpenFile(os.Args[1], os.O_WRONLY, 0)
	if err != nil {
		os.Exit(1)
	}
	for {
		if _, err := fifo.Write([]byte{0}); err != nil {
			os.Exit(1)
		}
		<-asked
	}
}
