#include "textflag.h"

// entry is where the kernel begins: argc is at 0(SP), argv[1] at 16(SP). It never returns.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVQ $257, AX // openat
	MOVQ $-100, DI // AT_FDCWD
	MOVQ 16(SP), SI
	MOVQ $1, DX // O_WRONLY
	MOVQ $0, R10
	SYSCALL
	CMPQ AX, $0
	JLT  fail
	MOVQ AX, R12
	SUBQ $32, SP
	MOVQ $0x200, 0(SP) // the set of SIGUSR1 alone
	MOVQ $14, AX // rt_sigprocmask
	MOVQ $0, DI // SIG_BLOCK
	MOVQ SP, SI
	MOVQ $0, DX
	MOVQ $8, R10
	SYSCALL
	MOVQ $1, DX // of any byte
	JMP  announce

answer:
	MOVQ $228, AX // clock_gettime
	MOVQ $1, DI // CLOCK_MONOTONIC
	LEAQ 8(SP), SI
	SYSCALL
	MOVQ $16, DX

announce:
	MOVQ $1, AX // write
	MOVQ R12, DI
	LEAQ 8(SP), SI
	SYSCALL

sleep:
	MOVQ $128, AX // rt_sigtimedwait, without a limit
	MOVQ SP, DI
	MOVQ $0, SI
	MOVQ $0, DX
	MOVQ $8, R10
	SYSCALL
	CMPQ AX, $10 // SIGUSR1
	JEQ  answer
	JMP  sleep

fail:
	MOVQ $231, AX // exit_group
	MOVQ $1, DI
	SYSCALL
	INT  $3
