#include "textflag.h"

// The kernel calls a handler with the signal in R0 and its siginfo in R1.

TEXT ·passHandler(SB),NOSPLIT|NOFRAME,$0
	SUB  $16, RSP
	MOVD R0, (RSP) // the first byte is the number

again:
	MOVD ·pipe(SB), R0
	MOVD RSP, R1
	MOVD $1, R2
	MOVD $64, R8 // write
	SVC
	CMN  $4, R0 // EINTR
	BEQ  again
	CMP  $1, R0
	BEQ  written
	MOVD $1, R9
	MOVB R9, ·full(SB)

written:
	ADD  $16, RSP
	RET

TEXT ·siftHandler(SB),NOSPLIT|NOFRAME,$0
	MOVW 8(R1), R9 // si_code
	CMPW $0, R9    // above it is the kernel that tells of a fault
	BLE  pass
	MOVD ·before(SB), R9
	JMP  (R9)

pass:
	JMP ·passHandler(SB)

TEXT ·dropHandler(SB),NOSPLIT|NOFRAME,$0
	RET

TEXT ·leaveHandler(SB),NOSPLIT|NOFRAME,$0
	MOVD $139, R8 // rt_sigreturn
	SVC

DATA ·pass(SB)/8, $·passHandler(SB)
GLOBL ·pass(SB), NOPTR|RODATA, $8
DATA ·sift(SB)/8, $·siftHandler(SB)
GLOBL ·sift(SB), NOPTR|RODATA, $8
DATA ·drop(SB)/8, $·dropHandler(SB)
GLOBL ·drop(SB), NOPTR|RODATA, $8
DATA ·leave(SB)/8, $·leaveHandler(SB)
GLOBL ·leave(SB), NOPTR|RODATA, $8
