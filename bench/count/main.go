// Count prints how many conversations with clients a store holds.
//
//	count FILE
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: count FILE")
	}
	n, err := count(context.Background(), os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
}

func count(ctx context.Context, file string) (n int, err error) {
	s, err := store.Open(file, store.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	// Guard records both of its conversations; requests are the client's.
	expr, err := filter.Parse("side:client")
	if err != nil {
		return 0, err
	}
	for q := (store.Query{Filter: expr, Limit: 10_000}); ; {
		page, err := s.List(ctx, q)
		if err != nil {
			return n, err
		}
		n += len(page.Rows)
		if page.Next == 0 {
			return n, nil
		}
		q.Before = page.Next
	}
}
