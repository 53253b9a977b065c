#include "textflag.h"

// func vfork(number, a1, a2, a3 uintptr) (pid, errno uintptr)
//
// The child goes on with our stack, and its calls write over the return address before we wake up. So that
// waits in a register, of which each of the two has its own.
TEXT ·vfork(SB),NOSPLIT|NOFRAME,$0-48
	MOVQ number+0(FP), AX
	MOVQ a1+8(FP), DI
	MOVQ a2+16(FP), SI
	MOVQ a3+24(FP), DX
	MOVQ $0, R10
	MOVQ $0, R8
	POPQ R12
	SYSCALL
	PUSHQ R12
	CMPQ AX, $-4095
	JCC  failed
	MOVQ AX, pid+32(FP)
	MOVQ $0, errno+40(FP)
	RET

failed:
	NEGQ AX
	MOVQ $0, pid+32(FP)
	MOVQ AX, errno+40(FP)
	RET
