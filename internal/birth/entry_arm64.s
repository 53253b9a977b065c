#include "textflag.h"

// entry is where the kernel begins. See entry_amd64.s.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD 0(RSP), R9
	CMP  $5, R9
	BLT  start
	MOVD 16(RSP), R9 // argv[1]; eight bytes of it can be read whatever its length
	MOVD ·guardian+0(SB), R10
	MOVD 0(R9), R11
	CMP  R10, R11
	BNE  start
	MOVD ·guardian+8(SB), R10
	MOVD 8(R9), R11
	CMP  R10, R11
	BNE  start
	B    ·guard(SB)

start:
	MOVD $172, R8 // getpid
	SVC
	CMP  $1, R0
	BNE  runtime
	SUB  $64, RSP // the action that was set, then ours
	MOVD $·quit(SB), R9
	MOVD R9, 32(RSP)
	MOVD ZR, 40(RSP)
	MOVD ZR, 48(RSP)
	MOVD ZR, 56(RSP)
	MOVD $1, R20 // SIGHUP
	BL   ·catch(SB)
	MOVD $2, R20 // SIGINT
	BL   ·catch(SB)
	MOVD $15, R20 // SIGTERM
	BL   ·catch(SB)
	ADD  $64, RSP

runtime:
	MOVD 0(RSP), R9 // argc
	ADD  $16, RSP, R10
	ADD  R9<<3, R10, R10
	MOVD R10, ·environment(SB)
	SUB  $16, RSP // makes room for two variables before the first
	MOVD RSP, R12
	ADD  $2, R9, R9 // argc, the arguments and the zero after them move down

move:
	MOVD 16(R12), R13
	MOVD R13, (R12)
	ADD  $8, R12
	SUB  $1, R9
	CBNZ R9, move
	MOVD $·processors(SB), R13
	MOVD R13, 0(R12)
	MOVD $·garbage(SB), R13
	MOVD R13, 8(R12)
	B    _rt0_arm64_linux(SB)

// catch sets the handler of signal R20, if its action is the default.
TEXT ·catch(SB),NOSPLIT|NOFRAME,$0
	MOVD $134, R8 // rt_sigaction
	MOVD R20, R0
	MOVD ZR, R1
	MOVD RSP, R2
	MOVD $8, R3
	SVC
	CBNZ R0, done
	MOVD 0(RSP), R9
	CBNZ R9, done // not SIG_DFL
	MOVD $134, R8
	MOVD R20, R0
	ADD  $32, RSP, R1
	MOVD ZR, R2
	MOVD $8, R3
	SVC

done:
	RET

// quit is a signal handler. It ends the process with 128 plus the signal.
TEXT ·quit(SB),NOSPLIT|NOFRAME,$0
	ADD  $128, R0, R0
	MOVD $94, R8 // exit_group
	SVC

// guard is a guardian. See entry_amd64.s.
TEXT ·guard(SB),NOSPLIT|NOFRAME,$0
	MOVD RSP, R20
	SUB  $64, RSP // 0: what is read and written, 48: a time
	MOVD $167, R8 // prctl
	MOVD $15, R0  // PR_SET_NAME
	MOVD $·name(SB), R1
	SVC
	MOVD $5000000, R21 // ns until the next write
	MOVD 24(R20), R9
	MOVD ZR, R22 // the number of the descriptor
	MOVD $10, R10

digit:
	MOVBU (R9), R11
	SUBS  $48, R11, R11
	BLT   wait
	MADD  R10, R11, R22, R22
	ADD   $1, R9
	B     digit

wait:
	MOVD $63, R8 // read
	MOVD ZR, R0
	MOVD RSP, R1
	MOVD $1, R2
	SVC
	CMN  $4, R0 // EINTR
	BEQ  wait

kill:
	MOVD $49, R9
	MOVB R9, (RSP)
	MOVD $64, R8 // write
	MOVD $1, R0
	MOVD RSP, R1
	MOVD $1, R2
	SVC
	CMP  $1, R0
	BNE  follow // the kernel has no cgroup.kill
	MOVD $67, R8 // pread64
	MOVD R22, R0
	MOVD RSP, R1
	MOVD $32, R2
	MOVD ZR, R3
	SVC
	CMP  $11, R0
	BLT  follow
	MOVBU 10(RSP), R9
	CMP  $48, R9 // "populated 0"
	BEQ  follow
	BL   ·pause(SB)
	MOVD $300000000, R9
	CMP  R9, R21
	BGT  follow // what is left is killed by pid
	ADD  R21, R21, R21
	B    kill

follow:
	MOVD $221, R8 // execve
	MOVD 32(R20), R0
	ADD  $40, R20, R1
	MOVD ZR, (RSP)
	MOVD RSP, R2 // no variables
	SVC
	BL   ·pause(SB) // there is no memory for it now
	B    follow

// pause sleeps for R21 nanoseconds.
TEXT ·pause(SB),NOSPLIT|NOFRAME,$0
	MOVD ZR, 48(RSP)
	MOVD R21, 56(RSP)
	MOVD $101, R8 // nanosleep
	ADD  $48, RSP, R0
	MOVD ZR, R1
	SVC
	RET

DATA ·guardian+0(SB)/8, $"--self-g"
DATA ·guardian+8(SB)/8, $"uardian\x00"
GLOBL ·guardian(SB), NOPTR|RODATA, $16

DATA ·name+0(SB)/8, $"cginit-g"
DATA ·name+8(SB)/8, $"uardian\x00"
GLOBL ·name(SB), NOPTR|RODATA, $16

DATA ·processors+0(SB)/8, $"GOMAXPRO"
DATA ·processors+8(SB)/8, $"CS=1\x00\x00\x00\x00"
GLOBL ·processors(SB), NOPTR|RODATA, $16

DATA ·garbage(SB)/8, $"GOGC=25\x00"
GLOBL ·garbage(SB), NOPTR|RODATA, $8
