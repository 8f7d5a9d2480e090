module github.com/llmidem/llmidem-go

go 1.26
