package kql_test

import "testing"

// One server answers for all of these: an analysis takes half a second, and is remembered.
func TestQueries(t *testing.T) {
	e := start(t)
	for _, p := range []struct {
		promise string
		holds   func(*testing.T, *engine)
	}{
		{"each parses and binds", eachQueryParsesAndBinds},
		{"a broken one is noticed", aBrokenQueryIsNoticed},
		{"what the evaluator does not know is a fault", whatTheEvaluatorDoesNotKnowIsAFault},
		{"each says what its model says", eachQuerySaysWhatItsModelSays},
		{"who called is what tollgate who says", eachCountIsTollgatesOwn},
		{"what it says of a call tollgate why says", whatItSaysOfACallTollgateWhySays},
		{"what nobody used tollgate unused says", whatNobodyUsedTollgateUnusedSays},
		{"keys that nobody used tollgate unused says", keysThatNobodyUsedTollgateUnusedSays},
		{"quotas that are exhausted tollgate who counts", quotasThatAreExhaustedTollgateWhoCounts},
		{"a spike of refusals is told, and the same volume of 200s is not", aSpikeOfRefusalsIsToldAndTheSameVolumeOf200sIsNot},
		{"a spike is of a client and of an API too", aSpikeIsOfAClientAndOfAnAPIToo},
		{"a spike rule of one API is about that API alone", aSpikeRuleOfOneAPIIsAboutThatAPIAlone},
		{"a window has its end in it, and not its beginning", windowsBorders},
		{"networks of one token", networksOfOneToken},
		{"both shapes give the same event", bothShapesGiveTheSameEvent},
		{"a table that is not there is no fault", aTableThatIsNotThereIsNoFault},
		{"losses are told", lossesAreTold},
		{"contracts that were rolled back are not old", contractsThatWereRolledBack},
	} {
		t.Run(p.promise, func(t *testing.T) { p.holds(t, e) })
	}
}
