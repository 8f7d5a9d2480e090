//go:build !purego

#include "textflag.h"

DATA quote<>+0(SB)/1, $0x22
GLOBL quote<>(SB), RODATA|NOPTR, $1
DATA backslash<>+0(SB)/1, $0x5c
GLOBL backslash<>(SB), RODATA|NOPTR, $1
DATA control<>+0(SB)/1, $0x1f
GLOBL control<>(SB), RODATA|NOPTR, $1

// func blockAVX2(p *byte, n int) (at int, bits uint32)
TEXT ·blockAVX2(SB), NOSPLIT, $0-28
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), CX
	XORQ AX, AX
	XORL DX, DX
	VPBROADCASTB quote<>(SB), Y0
	VPBROADCASTB backslash<>(SB), Y1
	VPBROADCASTB control<>(SB), Y2

loop:
	LEAQ 32(AX), BX
	CMPQ BX, CX
	JGT  done
	VMOVDQU   (SI)(AX*1), Y3
	VPCMPEQB  Y3, Y0, Y4
	VPCMPEQB  Y3, Y1, Y5
	VPMINUB   Y3, Y2, Y6     // a byte stays itself where it is a control character
	VPCMPEQB  Y3, Y6, Y6
	VPOR      Y4, Y5, Y4
	VPOR      Y6, Y4, Y4
	VPOR      Y3, Y4, Y4     // the highest bit of what is not ASCII
	VPMOVMSKB Y4, DX
	TESTL DX, DX
	JNE  done
	MOVQ BX, AX
	JMP  loop

done:
	VZEROUPPER
	MOVQ AX, at+16(FP)
	MOVL DX, bits+24(FP)
	RET
