package main

import (
	"os"
	"os/exec"
)

// bench returns the command that runs these parts of the benchmark. It runs from a disk: all pages of a file in
// an initramfs count as written to, and with them the private memory of a program.
func bench(parts string) (*exec.Cmd, error) {
	err := sh(`insmod /brd.ko rd_nr=1 rd_size=65536
		until [ -b /dev/ram0 ]; do sleep 0.1; done
		mke2fs /dev/ram0
		mkdir /disk
		mount -t ext4 /dev/ram0 /disk
		cp -a /bin /disk
		umount /disk
		mount -t ext4 /dev/ram0 /disk`)
	if err != nil {
		return nil, err
	}
	cmd := command("/disk/bin/bench/bench", "-short", "-only="+parts)
	cmd.Env = append(os.Environ(), "PATH=/disk/bin:/bin")
	cmd.Stdout, err = os.OpenFile(port, os.O_WRONLY, 0)
	return cmd, err
}
