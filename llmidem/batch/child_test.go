package batch_test

const childVariable = "LLMIDEM_BATCH_CHILD"

func child(what string) int { return 0 }
