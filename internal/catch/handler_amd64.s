#include "textflag.h"

// The kernel calls a handler with the signal in DI and its siginfo in SI.

TEXT ·passHandler(SB),NOSPLIT|NOFRAME,$0
	SUBQ $8, SP
	MOVQ DI, 0(SP) // the first byte is the number

again:
	MOVQ ·pipe(SB), DI
	MOVQ SP, SI
	MOVQ $1, DX
	MOVQ $1, AX // write
	SYSCALL
	CMPQ AX, $-4 // EINTR
	JEQ  again
	CMPQ AX, $1
	JEQ  written
	MOVB $1, ·full(SB)

written:
	ADDQ $8, SP
	RET

TEXT ·siftHandler(SB),NOSPLIT|NOFRAME,$0
	MOVL 8(SI), AX // si_code
	CMPL AX, $0    // above it is the kernel that tells of a fault
	JLE  pass
	MOVQ ·before(SB), AX
	JMP  AX

pass:
	JMP ·passHandler(SB)

TEXT ·dropHandler(SB),NOSPLIT|NOFRAME,$0
	RET

TEXT ·leaveHandler(SB),NOSPLIT|NOFRAME,$0
	MOVQ $15, AX // rt_sigreturn
	SYSCALL
	INT  $3

DATA ·pass(SB)/8, $·passHandler(SB)
GLOBL ·pass(SB), NOPTR|RODATA, $8
DATA ·sift(SB)/8, $·siftHandler(SB)
GLOBL ·sift(SB), NOPTR|RODATA, $8
DATA ·drop(SB)/8, $·dropHandler(SB)
GLOBL ·drop(SB), NOPTR|RODATA, $8
DATA ·leave(SB)/8, $·leaveHandler(SB)
GLOBL ·leave(SB), NOPTR|RODATA, $8
