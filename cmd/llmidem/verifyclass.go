package main

// degree is how sure a finding is.
type degree string

const (
	proved  degree = "proved"
	likely  degree = "likely"
	notTold degree = "not told"
)

// finding is what a probe says: a word for programs, how sure it is, and why.
type finding struct {
	result string
	degree degree
	says   string
}

// Results of more than one probe.
const (
	classReplay = "replay"
	classReject = "reject"
	classIgnore = "ignore"
	unknown     = "unknown"
)

func untold(says string) finding { return finding{unknown, notTold, says} }

// judgeClass says the class from three requests with one body: a new key, the same
// key again, and another key. The last is what tells a replay from a second
// execution that comes to the same, and from a cache that knows equal bodies.
func judgeClass(first, repeat, control outcome) finding {
	switch repeat.kind {
	case answered:
		return judgeRepeat(first, repeat, control)
	case busy:
		return untold("the key stays in use although its request is answered")
	case denied:
		switch control.kind {
		case answered:
			return finding{classReject, proved, "the repeated key was refused, the same body under another key was not"}
		case denied, busy:
			return untold("the repeat was refused, and so was the same body under another key: it may be the body")
		}
		return finding{classReject, likely, "the repeated key was refused; another key was not answered"}
	}
	return untold("the repeat was not answered")
}

// judgeRepeat is judgeClass where the repeat was answered.
func judgeRepeat(first, repeat, control outcome) finding {
	same, marked := like(first, repeat), repeat.mark != "" && first.mark == ""
	switch {
	case same == different && marked:
		return untold("the repeat is marked as a replay, and is another answer")
	case same == different:
		return finding{classIgnore, proved, "the repeat has another text: it was executed again"}
	case control.kind != answered && same == sameText && !marked:
		return untold("the same text under another id, and no answer under another key to compare with")
	case control.kind != answered && marked:
		return finding{classReplay, proved, "the repeat is the first answer, and is marked as a replay"}
	case control.kind != answered:
		return finding{classReplay, likely, "the repeat is the first answer; a cache of equal bodies was not ruled out"}
	}
	other := like(first, control)
	if same == identical && other == sameText && first.id == "" && !marked {
		return untold("answers have no id, and all one text: two within a second may have the same bytes")
	}
	return judgeControl(same, other, repeat, control, marked)
}

// judgeControl is judgeRepeat where the same body under another key was answered.
func judgeControl(same, other likeness, repeat, control outcome, marked bool) finding {
	switch {
	case other >= sameCall && marked && control.mark == "":
		return finding{classReplay, proved, "the repeat alone is marked as a replay, though equal bodies have one answer"}
	case other >= sameCall && (control.mark != "" || control.cached != ""):
		return finding{classIgnore, proved, "equal bodies have one answer under any key: that is a cache"}
	case other >= sameCall:
		return finding{classIgnore, likely, "equal bodies have one answer under any key: a cache, or a service that always answers the same"}
	case same >= sameCall:
		return finding{classReplay, proved, "the repeat is the first answer, and another key has another one"}
	case marked:
		return finding{classReplay, proved, "the repeat has the first text, and is marked as a replay"}
	case other == different:
		return finding{classReplay, likely, "the repeat has the first text under another id; another key has another text"}
	}
	return finding{classIgnore, likely, "every answer has its own id, though all have one text"}
}

// judgeBody says what a key does with another body. first is what was answered to
// the key's own; steady says that this service has few texts to answer with.
func judgeBody(first, o outcome, steady bool) finding {
	const danger = "DANGEROUS: it gives the old answer to another question"
	if o.kind == denied || o.kind == busy {
		return finding{"conflict", proved, "another body under a used key is refused, as it should be"}
	}
	if o.kind != answered {
		return untold("it was not answered")
	}
	switch same := like(first, o); {
	case same >= sameCall, o.mark != "" && first.mark == "":
		return finding{"replays", proved, danger}
	case same == sameText && !steady:
		return finding{"replays", likely, danger}
	case same == sameText:
		return finding{"executes", likely, "it has an id of its own, though the text is the same"}
	}
	return finding{"executes", proved, "another body under a used key is executed: the key counts with its body"}
}

// judgeFlight says what becomes of a key that is asked twice at once. together says
// that both were with the service before one was answered, steady that executions
// have one text, and ids tell them apart.
func judgeFlight(a, b outcome, together bool, class string, steady bool) finding {
	if a.kind != answered {
		a, b = b, a
	}
	switch {
	case a.kind != answered:
		return untold("neither was answered")
	case b.kind == busy:
		return finding{"refuses", proved, "one was executed, and the other refused while it ran"}
	case b.kind == denied && (together || class == classReject):
		return finding{"refuses", proved, "one was executed, and the other refused"}
	case b.kind != answered:
		return untold("only one was answered")
	case like(a, b) == different:
		return finding{"executes", proved, "both were executed"}
	case like(a, b) == sameText && steady && a.mark == b.mark:
		return finding{"executes", likely, "each has an id of its own, as executions have here"}
	case like(a, b) == sameText:
		return untold("both have one text, under ids of their own")
	case !together:
		return untold("both have one answer, but the first may have been answered before the second was there")
	case class == classReplay:
		return finding{"waits", proved, "one was executed, and both were given its answer"}
	}
	return finding{"waits", likely, "both have one answer"}
}

// judgeCut says what a key does whose first request was cut off unanswered. marks
// says that the service marks its replays, ran that the key was in use at first.
func judgeCut(o outcome, class string, marks, ran bool) finding {
	switch {
	case o.kind == denied:
		return finding{"refuses", proved, "the retry was refused: the answer to a cut request is lost"}
	case o.kind == busy:
		return finding{"in_progress", proved, "the cut request went on, and was not over yet"}
	case o.kind != answered:
		return untold("the retry was not answered")
	case o.mark != "" && marks:
		return finding{"replays", proved, "the cut request was executed, and the retry given its answer"}
	case ran:
		return finding{"replays", likely, "the cut request went on, and the retry was answered after it"}
	case class == classIgnore:
		return finding{"executes", likely, "the retry was executed; the cut request may have been, and billed too"}
	case class == classReject, class == classReplay && marks:
		return finding{"executes", proved, "the retry was executed: the key of the cut request was not kept"}
	}
	return untold("it was answered, and nothing tells whose answer it is: replays are not marked")
}
