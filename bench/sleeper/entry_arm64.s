#include "textflag.h"

// entry is where the kernel begins. See entry_amd64.s.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD $56, R8 // openat
	MOVD $-100, R0 // AT_FDCWD
	MOVD 16(RSP), R1
	MOVD $1, R2 // O_WRONLY
	MOVD ZR, R3
	SVC
	CMP  $0, R0
	BLT  fail
	MOVD R0, R20
	SUB  $32, RSP
	MOVD $0x200, R9 // the set of SIGUSR1 alone
	MOVD R9, 0(RSP)
	MOVD $135, R8 // rt_sigprocmask
	MOVD ZR, R0 // SIG_BLOCK
	MOVD RSP, R1
	MOVD ZR, R2
	MOVD $8, R3
	SVC
	MOVD $1, R2 // of any byte
	B    announce

answer:
	MOVD $113, R8 // clock_gettime
	MOVD $1, R0 // CLOCK_MONOTONIC
	ADD  $8, RSP, R1
	SVC
	MOVD $16, R2

announce:
	MOVD $64, R8 // write
	MOVD R20, R0
	ADD  $8, RSP, R1
	SVC

sleep:
	MOVD $137, R8 // rt_sigtimedwait, without a limit
	MOVD RSP, R0
	MOVD ZR, R1
	MOVD ZR, R2
	MOVD $8, R3
	SVC
	CMP  $10, R0 // SIGUSR1
	BEQ  answer
	B    sleep

fail:
	MOVD $94, R8 // exit_group
	MOVD $1, R0
	SVC
