package main

import (
	"sort"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// figures of one version, from those who saw it.
type figures struct {
	onHand, reserved, available *int64
	made                        bool // by a call that was told so
}

// facts are what answers say of versions, whenever they came. They shorten the search, and two that
// differ leave no way through it.
type facts struct {
	versions map[int64]*figures
	bodies   map[int64]string // of an order's version
	chains   map[int64]string // of a list of so many events
	restocks map[int]bool     // groups that come back
}

func learn(calls []*call) *facts {
	f := &facts{map[int64]*figures{}, map[int64]string{}, map[int64]string{}, map[int]bool{}}
	for _, c := range calls {
		if c.Op == "restock" {
			f.restocks[c.Group] = true
		}
		if c.Op == "events" && c.Digest != "" {
			f.chains[c.Quantity] = c.Digest
		} else if c.Version != nil && c.Digest != "" {
			f.bodies[*c.Version] = c.Digest
		}
		if c.Version == nil {
			continue
		}
		v := f.versions[*c.Version]
		if v == nil {
			v = &figures{}
			f.versions[*c.Version] = v
		}
		if c.OnHand != nil && c.Reserved != nil {
			v.onHand, v.reserved = c.OnHand, c.Reserved
		}
		if c.Available != nil {
			v.available = c.Available
		}
		v.made = v.made || c.Op == "start" || c.Op == "adjust" || c.Op == "count"
	}
	return f
}

// shelf is comparable. Orders that hold something there, and those whose pieces have left and will
// come back, are sorted lists of groups.
type shelf struct {
	started                   bool
	version, onHand, reserved int64
	held, gone                string
}

func without(list string, group int) (string, bool) {
	name := strconv.Itoa(group)
	var kept []string
	found := false
	for _, one := range strings.Fields(list) {
		if one == name && !found {
			found = true
			continue
		}
		kept = append(kept, one)
	}
	return strings.Join(kept, " "), found
}

func with(list string, group int) string {
	all := append(strings.Fields(list), strconv.Itoa(group))
	sort.Strings(all)
	return strings.Join(all, " ")
}

// next is the version behind s with these figures, if nobody has seen it otherwise.
func (s shelf) next(c *call, onHand, reserved int64) []shelf {
	s.version++
	s.onHand, s.reserved = onHand, reserved
	if reserved < 0 || onHand < reserved {
		return nil
	}
	if c.Version != nil && (*c.Version != s.version || *c.OnHand != onHand || *c.Reserved != reserved) {
		return nil
	}
	if v := c.facts.versions[s.version]; v != nil {
		if v.made && c.Version == nil {
			return nil
		}
		if v.onHand != nil && (*v.onHand != onHand || *v.reserved != reserved) {
			return nil
		}
		if v.available != nil && *v.available != onHand-reserved {
			return nil
		}
	}
	return []shelf{s}
}

func (s shelf) unchangedIf(holds bool) []shelf {
	if holds {
		return []shelf{s}
	}
	return nil
}

func (s shelf) adjust(c *call) []shelf {
	after := s.onHand + c.Quantity
	if c.Status == 409 {
		return s.unchangedIf(after < s.reserved)
	}
	if c.Status != 201 && !c.maybe {
		return nil
	}
	return s.next(c, after, s.reserved)
}

func (s shelf) count(c *call) []shelf {
	matches, fits := *c.IfVersion == s.version, c.Quantity >= s.reserved
	switch {
	case c.Status == 412:
		return s.unchangedIf(!matches)
	case c.Status == 409:
		return s.unchangedIf(matches && !fits)
	case !matches, c.Status != 200 && !c.maybe:
		return nil
	}
	return s.next(c, c.Quantity, s.reserved)
}

// ofOrder is what an order does here that nobody is told of.
func (s shelf) ofOrder(c *call) []shelf {
	q, available := c.Quantity, s.onHand-s.reserved
	found := true
	switch c.Op {
	case "reserve":
		if available < q {
			return nil
		}
		s.held = with(s.held, c.Group)
		return s.next(c, s.onHand, s.reserved+q)
	case "refuse":
		return s.unchangedIf(available < q && (c.Status == 410) == (available == 0))
	case "commit":
		if s.held, found = without(s.held, c.Group); !found {
			return nil
		}
		if c.facts.restocks[c.Group] {
			s.gone = with(s.gone, c.Group)
		}
		return s.next(c, s.onHand-q, s.reserved-q)
	case "release":
		if s.held, found = without(s.held, c.Group); !found {
			return nil
		}
		return s.next(c, s.onHand, s.reserved-q)
	case "restock":
		if s.gone, found = without(s.gone, c.Group); !found {
			return nil
		}
		return s.next(c, s.onHand+q, s.reserved)
	}
	return nil
}

func (s shelf) step(c *call) []shelf {
	if c.Op == "start" {
		if s.started {
			return nil
		}
		return []shelf{{started: true, version: *c.Version, onHand: *c.OnHand, reserved: *c.Reserved}}
	}
	if !s.started {
		return nil
	}
	switch c.Op {
	case "adjust":
		return s.adjust(c)
	case "count":
		return s.count(c)
	case "read_stock":
		return s.unchangedIf(c.Status == 200 && *c.Version == s.version && *c.OnHand == s.onHand &&
			*c.Reserved == s.reserved)
	case "read_menu":
		return s.unchangedIf(c.Status == 200 && *c.Version == s.version && *c.Available == s.onHand-s.reserved)
	}
	return s.ofOrder(c)
}

var stockModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{shelf{}} },
	Step: func(state, input, output interface{}) []interface{} {
		c := input.(*call)
		var all []interface{}
		if c.maybe {
			all = append(all, state)
		}
		for _, s := range state.(shelf).step(c) {
			all = append(all, s)
		}
		return all
	},
}
